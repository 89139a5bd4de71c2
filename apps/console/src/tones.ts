/** The tone of a state's dot: good, under way, bad, or none of these. */
const TONES = new Map(
  Object.entries({
    SUCCESS: 'good',
    DELIVERED: 'good',
    DONE: 'good',
    PAID: 'good',
    keep: 'good',
    paid: 'good',
    NOTPAY: 'busy',
    CLOSING: 'busy',
    PROCESSING: 'busy',
    PENDING: 'busy',
    OPENING: 'busy',
    OPEN: 'busy',
    BEGUN: 'busy',
    done_SUCCESS: 'good',
    done_PROCESSING: 'busy',
    done_STUCK: 'bad',
    done_FAIL: 'bad',
    in_use: 'good',
    signs_now: 'good',
    settled_true: 'good',
    settled_false: 'bad',
    FAIL: 'bad',
    DEAD: 'bad',
    reverse: 'bad',
    stuck: 'bad',
  }),
)

export const toneOf = (state: string): string => TONES.get(state) ?? 'calm'
