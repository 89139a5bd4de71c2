/**
 * The statements that run the most or carry the most money. `within`: the function they stand in, of the source or stored in the
 * database; null: the whole file.
 */
type Place = { what: string; file: string; within: string | null }

const STORE = 'packages/store/src'
const at = (what: string, file: string, within: string | null): Place => ({ what, file: `${STORE}/${file}`, within })

const stored = (what: string, migration: string, name: string): Place => ({
  what,
  file: `packages/store/migrations/${migration}.sql`,
  within: name,
})

export const HOT: readonly Place[] = [
  at('place an order, with its nonce', 'orders/orders.ts', 'insertOrders'),
  at('query an order', 'orders/orders.ts', 'findOrder'),
  at('lock an order', 'orders/orders.ts', 'lockOrder'),
  at('move an order', 'orders/orders.ts', 'moveOrder'),
  at('sweep lapsed orders', 'orders/lapsed-orders.ts', null),
  at('close orders without attempts', 'orders/untouched-orders.ts', 'moveUntouched'),
  at('open an attempt', 'payments/attempts.ts', 'insertAttempt'),
  at('an attempt as the upstream names it', 'payments/attempts.ts', 'findAttempt'),
  at('move an attempt', 'payments/attempts.ts', 'moveAttempt'),
  at('what is known of a payment', 'payments/payments.ts', 'findPayment'),
  at('book a payment', 'payments/payments.ts', 'bookPayment'),
  at('send money back', 'payments/payments.ts', 'insertReversal'),
  at('lease jobs', 'jobs/jobs.ts', 'leaseJobs'),
  at('lease one job', 'jobs/jobs.ts', 'leaseJob'),
  at('write a job', 'jobs/jobs.ts', 'insertLeasedJob'),
  at('lease notifications', 'notifications/notifications.ts', 'takeNotifications'),
  at('write a notification', 'notifications/notifications.ts', 'insertNotification'),
  at('ask for a refund', 'payments/refunds.ts', 'insertRefund'),
  at('what may still be refunded', 'payments/refunds.ts', 'keptPayment'),
  at('nonces', 'merchants/nonces.ts', null),
  stored('place orders', '0041-archived-numbers', 'place_orders'),
  stored('close orders without attempts', '0029-move-untouched', 'move_untouched'),
  stored('sweep lapsed orders', '0031-expire-untouched', 'expire_untouched'),
  stored('move an order', '0053-found-by-key', 'move_order'),
  stored('write attempts down as closed', '0052-shut-attempts', 'shut_attempts'),
  stored('lease jobs', '0053-found-by-key', 'lease_jobs'),
  stored('which notifications are due', '0053-found-by-key', 'due_notifications'),
  stored('lease notifications', '0053-found-by-key', 'take_notifications'),
  stored('end tries of notifications', '0053-found-by-key', 'end_notification_tries'),
  at('who calls, with keys and rate', 'merchants/merchants.ts', 'findMerchants'),
]
