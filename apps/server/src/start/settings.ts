/**
 * Every setting of the gateway, once: the check at the start, `config`, docs/settings.md, .env.example and the chart's schema are made
 * of this table. A new setting is one row here and one in docs/settings-tested.md.
 */
import {
  type Both,
  countOrAuto,
  databaseAddress,
  file,
  type GROUPS,
  host,
  issuer,
  type Kind,
  masterKeys,
  milliseconds,
  name,
  networks,
  origins,
  ports,
  privateKeys,
  program,
  roles,
  title,
  token,
  webAddress,
  whole,
  words,
  yuan,
} from './setting-kinds.ts'

type About = {
  group: keyof typeof GROUPS
  /** What happens where it has no default. */
  unset?: Both
  /** Commands read it too; the others count in a running gateway only. */
  inCommands?: true
  since: string
} & Both

export type Setting = About & {
  /** Its name in the configuration. */
  key: string
  kind: Kind<unknown, unknown>
  /** Its default, as one would write it; null where it has none. */
  otherwise: string | null
}

const NONE = { zh: '无', en: 'none' }

const setting = <const Key extends string, Value, Unset, const Otherwise extends string | null>(
  key: Key,
  kind: Kind<Value, Unset>,
  otherwise: Otherwise,
  about: About,
) => ({ key, kind, otherwise, ...about })

export const SETTINGS = {
  HOST: setting('host', host, '127.0.0.1', {
    group: 'place',
    since: '0.1.0',
    zh: '监听的地址',
    en: 'the address at which it listens',
  }),
  PORT: setting('port', whole([0, 65_535]), '8080', {
    group: 'place',
    since: '0.1.0',
    zh: '监听的端口；0 由系统选一个',
    en: 'the port at which it listens; 0 lets the system choose one',
  }),
  ACOPAY_MODE: setting('mode', words('sandbox', 'production'), 'sandbox', {
    group: 'place',
    since: '0.1.0',
    inCommands: true,
    zh: '`production` 没有演示商户、上游替身和 `/sandbox/` 路径',
    en: '`production` leaves out the demo merchant, the stand-ins and the `/sandbox/` paths',
  }),
  ACOPAY_PROCESSES: setting('processes', countOrAuto(256), null, {
    group: 'place',
    since: '0.2.0',
    unset: { zh: '生产 `auto`，沙箱1', en: '`auto` in production, 1 in the sandbox' },
    zh: '在同一端口服务的进程数；`auto` 为可用的核数（[多进程](operating.zh-CN.md#使用所有核)）',
    en: 'how many processes serve at the one port; `auto` is as many as there are cores to use ([all cores](operating.md#all-cores))',
  }),
  ACOPAY_JOB_PROCESSES: setting('jobProcesses', whole([1, 256]), '2', {
    group: 'orders',
    since: '0.2.0',
    zh: '其中多少个进程也做后台任务和到期关单',
    en: 'how many of the processes also do background work and close what has expired',
  }),
  ACOPAY_DRAIN_MS: setting('drainMs', whole([0, 300_000]), null, {
    group: 'place',
    since: '0.2.0',
    unset: { zh: '生产5000，沙箱0', en: '5000 in production, 0 in the sandbox' },
    zh: '停止时，在 `/readyz` 已是503之后还接受调用多久（毫秒）；要比负载均衡发现所需的时间长（[升级](upgrade.zh-CN.md#替换一个网关)）',
    en: 'milliseconds for which a stop goes on taking calls while `/readyz` is 503 already; longer than balancers need to notice ([upgrading](upgrade.md#replacing-a-gateway))',
  }),
  ACOPAY_PUBLIC_URL: setting('publicUrl', webAddress, null, {
    group: 'place',
    since: '0.1.0',
    unset: { zh: '监听的地址', en: 'where it listens' },
    zh: '给付款人、商户、上游的地址，如 `https://pay.example.com`',
    en: 'what payers, merchants and upstreams are sent to, `https://pay.example.com`',
  }),
  ACOPAY_SANDBOX_EXPOSED: setting('sandboxExposed', words('no', 'yes'), 'no', {
    group: 'place',
    since: '0.1.0',
    zh: '仅沙箱模式：沙箱里人人都能扮演付款人，`HOST` 或 `ACOPAY_PUBLIC_URL` 能从本机之外访问时拒绝启动；确需公开时设为 `yes`',
    en: 'sandbox mode only: a sandbox, in which everyone can play the payer, does not start with a `HOST` or an `ACOPAY_PUBLIC_URL` that others than this machine reach; `yes` says that it is meant',
  }),
  DATABASE_URL: setting('databaseUrl', databaseAddress, null, {
    group: 'storage',
    since: '0.1.0',
    inCommands: true,
    unset: { zh: '自带的数据库', en: 'the embedded database' },
    zh: 'PostgreSQL 15 或更新，可写[几个主机](scaling.zh-CN.md#主库失效)，在另一台机器上时带 [`sslmode`](operating.zh-CN.md#到数据库的-tls)；由这个用户建表，或由另一个用户以 [`npm run migrate`](operating.zh-CN.md#两个数据库角色) 建好',
    en: "PostgreSQL 15 or newer, [several hosts](scaling.md#a-primary-that-dies) if need be, with [`sslmode`](operating.md#tls-to-the-database) where it is another machine's; its user creates the tables, or [`npm run migrate`](operating.md#two-roles) did as another one",
  }),
  ACOPAY_POOL_MAX: setting('poolMax', whole([2, 500]), '16', {
    group: 'storage',
    since: '0.1.0',
    inCommands: true,
    zh: '一个进程的数据库连接数；有 `ACOPAY_PROCESSES` 个进程时，总数是它的倍数',
    en: 'database connections of one process; `ACOPAY_PROCESSES` of them have as many times that',
  }),
  ACOPAY_MIGRATE: setting('migrate', words('auto', 'never'), null, {
    group: 'storage',
    since: '0.2.0',
    inCommands: true,
    unset: { zh: '沙箱 `auto`，生产 `never`', en: '`auto` in the sandbox, `never` in production' },
    zh: '启动时是否自己迁移数据库（[升级](upgrade.zh-CN.md#由谁迁移)）',
    en: 'whether a start migrates the database by itself ([upgrading](upgrade.md#who-migrates))',
  }),
  ACOPAY_HOME: setting('home', file, null, {
    group: 'storage',
    since: '0.1.0',
    inCommands: true,
    unset: {
      zh: '仓库里的 `.acopay/`；归档包为用户主目录的 `.acopay/`',
      en: "`.acopay/` in the repository; of the archive `.acopay/` in the user's home",
    },
    zh: '`master.key`、自带的数据库；沙箱里还有 `demo.json` 与 `console.json`',
    en: '`master.key`, the embedded database; in the sandbox `demo.json` and `console.json`',
  }),
  ACOPAY_MASTER_KEY: setting('masterKeys', masterKeys, null, {
    group: 'keys',
    since: '0.1.0',
    inCommands: true,
    unset: { zh: '在 `master.key` 里', en: 'in `master.key`' },
    zh: '加密数据库里的每一个秘密。多个时第一个加密，每一个都能解密（[密钥](keys.zh-CN.md)）。每个进程必须相同。**请备份**：没有它，数据库里的平台密钥就丢了',
    en: 'seals every secret in the database. Of several the first seals, each unseals ([keys](keys.md)). Every process needs the same. **Back it up**: without it the platform key in the database is lost',
  }),
  ACOPAY_PLATFORM_KEYS: setting('platformKeys', privateKeys, null, {
    group: 'keys',
    since: '0.1.0',
    inCommands: true,
    unset: NONE,
    zh: '供 `npm run rotate -- platform --key env` 使用的平台密钥（[密钥](keys.zh-CN.md)）',
    en: 'platform keys for `npm run rotate -- platform --key env` ([keys](keys.md))',
  }),
  ACOPAY_SIGNER: setting('signer', program, null, {
    group: 'keys',
    since: '0.1.0',
    inCommands: true,
    unset: NONE,
    zh: '签名程序，它用自己持有的平台密钥签名，例如在 HSM 里的（[密钥](keys.zh-CN.md)）',
    en: "a program that signs with platform keys which it holds, an HSM's for example ([keys](keys.md))",
  }),
  ACOPAY_CLOSE_BUDGET_MS: setting('closeBudgetMs', milliseconds(100, 8000), '6000', {
    group: 'orders',
    since: '0.1.0',
    zh: '关单在此时间之内应答，不论上游怎样',
    en: 'a close is answered within this, whatever upstreams do',
  }),
  ACOPAY_CHANNEL_CALL_MS: setting('channelCallMs', milliseconds(50, 8000), '2000', {
    group: 'orders',
    since: '0.1.0',
    zh: '对上游的一次调用',
    en: 'one call to an upstream',
  }),
  ACOPAY_LEASE_MS: setting('leaseMs', milliseconds(200, 600_000), '15000', {
    group: 'orders',
    since: '0.1.0',
    zh: '任务的租约多长；至少为 `ACOPAY_CLOSE_BUDGET_MS` 的两倍',
    en: 'how long a lease on a job lasts; at least twice `ACOPAY_CLOSE_BUDGET_MS`',
  }),
  ACOPAY_JOB_PAUSE_MS: setting('jobPauseMs', milliseconds(10, 60_000), '1000', {
    group: 'orders',
    since: '0.1.0',
    zh: '空闲的进程多久找一次任务',
    en: 'how often an idle worker looks for work',
  }),
  ACOPAY_NONCE_HOURS: setting(
    'nonceWindowMs',
    whole([1, 24 * 366], { zh: '小时', en: 'hours', times: 3_600_000 }),
    '24',
    {
      group: 'orders',
      since: '0.1.0',
      zh: '有签名的请求的随机串记多久，查询的也记；在此期间，截获的关单或下单请求会被拒绝（1016）',
      en: "how long the nonce of a signed request is remembered, a query's too; a captured close or placing is refused (1016) that long",
    },
  ),
  ACOPAY_RATE_PER_ADDRESS: setting('ratePerAddress', whole([0, 1_000_000]), '5000', {
    group: 'limits',
    since: '0.1.0',
    zh: '同一地址每秒的请求数，所有路径合计，可瞬时用两秒的量；0为不限',
    en: "requests a second from one address at all paths together, two seconds' worth at once; 0 is no limit",
  }),
  ACOPAY_RATE_PER_MERCHANT: setting('ratePerMerchant', whole([0, 1_000_000]), '0', {
    group: 'limits',
    since: '0.1.0',
    zh: '每个商户的同上，用于 `merchant.rate_per_second` 没有写的商户',
    en: 'the same per merchant, where `merchant.rate_per_second` says nothing',
  }),
  ACOPAY_CALL_LOG: setting('callLogMax', whole([0, 100_000]), '1000', {
    group: 'limits',
    since: '0.1.0',
    zh: '每个商户保留多少次调用供其查看（`acopay logs`），成功与被拒绝的各这么多（最多再多一成），最长七天；0不保留',
    en: 'how many calls of each merchant are kept for the merchant to read (`acopay logs`), done and refused ones each (at most a tenth more), seven days at most; 0 keeps none',
  }),
  ACOPAY_TOTP_ROLES: setting('totpRoles', roles, null, {
    group: 'console',
    since: '0.1.0',
    unset: NONE,
    zh: '必须先有二次验证（验证器或通行密钥）才能做任何事的角色',
    en: 'roles whose users must have a second factor, an authenticator or a passkey, before they can do anything',
  }),
  ACOPAY_PROOF_ABOVE: setting('proofAboveFen', yuan, '1000.00', {
    group: 'console',
    since: '0.1.0',
    zh: '超过此金额的退款，要再次输入密码（和验证码）',
    en: 'a refund above this asks for the password (and code) again',
  }),
  ACOPAY_SECOND_PERSON_ABOVE: setting('secondPersonAboveFen', yuan, null, {
    group: 'console',
    since: '0.1.0',
    unset: NONE,
    zh: '退款，连同该订单此前退回的超过此金额时，等另一个用户复核',
    en: 'a refund that brings what went back of its order above this waits until another user confirms it',
  }),
  ACOPAY_BULK_ALONE_MAX: setting('bulkAloneMax', whole([0, 50]), null, {
    group: 'console',
    since: '0.2.0',
    unset: NONE,
    zh: '一次批量关单或重发超过这么多笔时，等另一个用户复核；0为每次都要',
    en: 'closing or resending more orders than this at once waits until another user confirms it; 0 is always',
  }),
  ACOPAY_AUDIT_DAYS: setting('auditDays', whole([0, 36_500], { zh: '天', en: 'days' }), '0', {
    group: 'console',
    since: '0.1.0',
    inCommands: true,
    zh: '审计日志保存多久；0为永久',
    en: 'how long the audit log is kept; 0 is for good',
  }),
  ACOPAY_TRY_DAYS: setting('tryDays', whole([0, 36_500], { zh: '天', en: 'days' }), '400', {
    group: 'storage',
    since: '0.2.0',
    zh: '订单下单之后，它的通知的每次尝试保存多久，至少32；0为永久',
    en: 'how long after an order was placed the tries of its notifications are kept, at least 32; 0 is for good',
  }),
  ACOPAY_HOUR_DAYS: setting('hourDays', whole([0, 36_500], { zh: '天', en: 'days' }), '400', {
    group: 'storage',
    since: '0.2.0',
    zh: '总览的每小时计数保存多久，至少32；0为永久。统计页的数不受影响',
    en: "how long the overview's counts of hours are kept, at least 32; 0 is for good. The page of figures keeps its own",
  }),
  ACOPAY_RECONCILIATION_DAYS: setting('reconciliationDays', whole([0, 36_500], { zh: '天', en: 'days' }), '1830', {
    group: 'storage',
    since: '0.2.0',
    zh: '对账结果和已处理的差异保存多久，至少32；0为永久',
    en: 'how long reconciliations and settled differences are kept, at least 32; 0 is for good',
  }),
  ACOPAY_OIDC_ISSUER: setting('oidcIssuer', issuer, null, {
    group: 'console',
    since: '0.2.0',
    unset: NONE,
    zh: '统一身份提供方（OpenID Connect），用户可以经它登录管理台（[统一身份登录](console.zh-CN.md#统一身份登录)）',
    en: 'the identity provider (OpenID Connect) by which users may sign in to the console ([signing in by a provider](console.md#signing-in-by-a-provider))',
  }),
  ACOPAY_OIDC_CLIENT_ID: setting('oidcClientId', name, null, {
    group: 'console',
    since: '0.2.0',
    unset: NONE,
    zh: '本网关在提供方登记的编号',
    en: 'under which the provider knows this gateway',
  }),
  ACOPAY_OIDC_CLIENT_SECRET: setting('oidcClientSecret', token, null, {
    group: 'console',
    since: '0.2.0',
    unset: NONE,
    zh: '与该编号一起登记的秘密',
    en: 'the secret that belongs to it',
  }),
  ACOPAY_OIDC_NAME: setting('oidcName', title, null, {
    group: 'console',
    since: '0.2.0',
    unset: { zh: '提供方的主机名', en: "the provider's host" },
    zh: '登录按钮上提供方的名称',
    en: 'what the button at the sign-in calls the provider',
  }),
  ACOPAY_TRUSTED_PROXIES: setting('trustedProxies', whole([0, 10]), '0', {
    group: 'network',
    since: '0.1.0',
    zh: '相信前面几层代理所说的来源地址',
    en: "how many proxies in front are believed about the caller's address",
  }),
  ACOPAY_NOTIFY_PORTS: setting('notifyPorts', ports, '443', {
    group: 'network',
    since: '0.1.0',
    zh: '商户的 `notify_url` 可以用的端口',
    en: "ports of merchants' `notify_url` that may be called",
  }),
  ACOPAY_NOTIFY_NETWORKS: setting('notifyNetworks', networks, null, {
    group: 'network',
    since: '0.1.0',
    unset: NONE,
    zh: '虽非公网、`notify_url` 仍可以在其中的网段；用于在您自己网络之内的自有商户',
    en: 'networks that a `notify_url` may lie in although they are not public; merchants of your own, behind your own wall',
  }),
  ACOPAY_SHELL_ORIGINS: setting('shellOrigins', origins, null, {
    group: 'network',
    since: '0.1.0',
    unset: NONE,
    zh: '哪些来源的页面可以在框架里显示收银台（宿主脚本）；沙箱里还有本机的每个页面',
    en: 'origins whose pages may show the cashier in a frame (the host script); in the sandbox also every page of this machine',
  }),
  LOG_LEVEL: setting('logLevel', words('info', 'debug', 'warn', 'error', 'silent'), 'info', {
    group: 'seeing',
    since: '0.1.0',
    zh: '记录多少',
    en: 'how much is logged',
  }),
  LOG_FORMAT: setting('logFormat', words('auto', 'json', 'pretty'), 'auto', {
    group: 'seeing',
    since: '0.1.0',
    zh: '`json`：每个事件一行JSON。`pretty`：给人看的一行。`auto`：沙箱输出到终端时为 `pretty`，否则为 `json`',
    en: '`json`: one JSON line for each event. `pretty`: a line for people. `auto`: `pretty` in a sandbox whose output is a terminal, else `json`',
  }),
  ACOPAY_METRICS_PORT: setting('metricsPort', whole([0, 65_535]), null, {
    group: 'seeing',
    since: '0.1.0',
    unset: NONE,
    zh: '`/metrics` 单独的端口（[监控](metrics.zh-CN.md)）',
    en: 'a port of its own for `/metrics` ([metrics](metrics.md))',
  }),
  ACOPAY_METRICS_TOKEN: setting('metricsToken', token, null, {
    group: 'seeing',
    since: '0.1.0',
    unset: NONE,
    zh: '凭它读取 `/metrics`（[监控](metrics.zh-CN.md)）',
    en: 'whoever sends it may read `/metrics` ([metrics](metrics.md))',
  }),
} satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

/** A secret may lie in a file that this variable names. */
export const fileVariable = (name: string): string => `${name}_FILE`

export const isSecret = (name: SettingName): boolean => SETTINGS[name].kind.secret !== null
