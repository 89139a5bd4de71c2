/** docs/settings-tested.zh-CN.md: the rows of the page that is written by hand, with a Chinese text around them. */

const ABOUT = `# 设置、默认值，以及察觉它们的测试

[English](settings-tested.md)

<!-- Made by \`npm run docs\` from settings-tested.md, which is written by hand. -->

每项设置的作用见 [settings.zh-CN.md](settings.zh-CN.md)。\`scripts/settings-tested.test.ts\` 守住两份页面：环境变量的设置，或服务器、core、protocol 源代码里的数字，没有写成一行的，变红；默认值与这里写的不同，变红；测试不存在，也变红。*察觉者*是结果会随设置改变的测试；\`test/production.test.ts\` 按生产环境的启动方式运行一个网关，只设置必须设置的。`

const NUMBERS = `## 源代码里的数字

运营方不能设置这些。\`–\`：没有调用方、付款人、商户或运营人员会碰到这个确切的值，所以没有行为的测试能察觉它；只有这张表守住它，最后一列说明它是什么。`

/** What a number is that no test of behaviour feels. */
const REASONS: Record<string, string> = {
  "longer than any link's secret; what is longer is no better than one that is wrong":
    '比任何链接的秘密都长；更长的与错误的一样',
  'how long the identity provider may take for one answer; who waits is told to use the password':
    '身份提供方一次应答最多多久；等待的人会被告知改用密码',
  'longer than what a provider says of itself; a longer answer is refused':
    '比提供方对自己的说明更长；更长的应答会被拒绝',
  'how long what the provider says of itself is believed; it says the same again':
    '提供方对自己的说明多久之内不再询问；再问也是一样',
  'how many orders of a bulk operation are worked on side by side; all are': '批量操作同时处理多少个订单；每个都会处理',
  'for how much longer than its workers a parent may take to stop': '父进程停止时可比工作进程多用多久',
  'how long a scrape waits for a worker that does not answer': '采集指标时，对不应答的工作进程等待多久',
  "how often alarms of the parent's log are passed to a worker": '父进程日志里的告警多久转给一个工作进程',
  'connections to the database of a parent, which serves no caller': '父进程的数据库连接数；它不服务任何调用方',
  'how long after its exit a worker is heard at most': '工作进程退出之后，最多再听它多久',
  'threads of a worker that sign and read files, where its share of UV_THREADPOOL_SIZE is less':
    '工作进程签名和读文件的线程数，当它在 UV_THREADPOOL_SIZE 中的一份更少时',
  'how long a worker that is replaced keeps silent connections at least': '被替换的工作进程至少把沉默的连接保留多久',
  'how much of the log one write takes to a pipe: as much as the system does not divide':
    '日志一次写入管道多少：系统不会拆开的大小',
  'how many old calls one statement removes; the next one removes the others':
    '一条语句删除多少条旧的调用记录；其余由下一条删除',
  'for how many merchants left-out calls are counted; another one begins at none':
    '为多少个商户计数没有记下的调用；再多的从零开始',
  "for how many merchants and kinds of calls added ones are counted; another one's are trimmed at once":
    '为多少个商户与种类计数新增的调用；再多的立即修剪',
  'how often old calls are removed': '多久删除一次旧的调用记录',
  'how wide the column of values is that `config` shows': '`config` 显示值的一列有多宽',
  'the oldest PostgreSQL with which `config --connect` is content': '`config --connect` 认可的最旧的 PostgreSQL',
  'how many secrets are read at once; all are sealed again': '一次读取多少个秘密；全部都会重新加密',
  'orders that one transaction takes out into a file; the file holds the same rows':
    '一个事务取出到文件的订单数；文件里的行一样',
  'orders that stay in the database and are named; the others are counted': '留在数据库并列出的订单数；其余只计数',
  'how often a part is looked at again that changed while it was taken out; the next run goes on':
    '取出时有变化的一段重新看几次；下一次执行会接着做',
  'orders that may lie between those of one part; those that are not read stay in the database':
    '一段的订单之间可能有多少笔订单；没有读到的留在数据库',
  'how often a long command says how far it is': '耗时的命令多久说一次进度',
  'how often gateways tell each other their counts; docs/scaling.md says how far off the sums are':
    '网关多久互相告知计数；误差见 docs/scaling.md',
  'the place of an entry that is in no timeline, below which there is none':
    '不在任何时间线里的条目的位置，再往前没有条目',
  'rounds of counts that a slow reader still finds; what is older was earned back':
    '读得慢的网关还能找到的计数轮数；更早的已经恢复',
  'of a gateway that is heard of for the first time, counts that are older do not matter any more':
    '第一次听到的网关，更早的计数不再有影响',
  'rows of counts that are older are not read; it only has to be longer than clocks differ':
    '更早的计数行不读；只需比各机器时钟之差长',
  'after which rows of ended gateways are removed; they are not read before':
    '多久之后删除已结束的网关的行；之前也不读',
  'names that one round of counts holds; further ones are limited by each machine alone':
    '一轮计数最多多少个名字；多出的由各机器单独限制',
  'how many old rows one statement removes; the next round removes the others':
    '一条语句删除多少旧行；其余由下一轮删除',
  'how often old rows are looked for, where the last round found none': '上一轮没有找到时，多久找一次旧行',
  'how long one process alone makes the heads of a day; two would make the same':
    '一个进程独自生成日摘要多久；两个进程会生成同样的',
  'lapsed orders of one statement; all of a sweep end': '一条语句结束多少个过期订单；一次清扫的都会结束',
  'rows that the verifier reads at once; it finds the same': '校验时一次读取的行数；结果一样',
  'how large the pieces are in which a bill is stored and sent; the caller gets the same bytes':
    '对账单分块存储、发送，每块多大；调用方得到同样的字节',
  'how long the sandbox works off what is due while its clock moves, before it goes to the end at once':
    '沙箱的时钟快进时，处理途中到期的事最多多久，之后直接到终点',
  'at how many moments of a move jobs that ask an upstream again and again are run':
    '一次快进中，反复询问上游的任务在多少个时刻执行',
  'lines of a bill between two lines of the log': '对账单每多少行写一行日志',
  'orders between two lines of progress': '每多少个订单写一行进度',
  'rows that the command for load tests writes in one transaction; it makes the same orders':
    '压力测试的命令在一个事务里写入的行数；生成同样的订单',
  'over how many days the command for load tests spreads its orders': '压力测试的命令把订单分布在多少天里',
  'how large a primary `capacity` assumes': '`capacity` 假定的主库大小',
  'connections of a process, as `ACOPAY_POOL_MAX` has them': '一个进程的连接数，与 `ACOPAY_POOL_MAX` 相同',
  'connections above which `capacity` names PgBouncer': '连接数超过它时 `capacity` 提到 PgBouncer',
  'seconds of a day': '一天的秒数',
  'how long a statement of a command that reads or writes everything may take': '读写全部数据的命令，一条语句最多多久',
  'files kept for the database, upstreams and the log': '为数据库、上游和日志保留的文件数',
  'results in one statement: as many as calls can be under way, so that this bound is never met':
    '一条语句写入的结果数：与可能同时进行的调用一样多，所以永远碰不到',
  'more attempts than an order may have': '比一个订单允许的支付尝试多',
  'how many restored orders are closed side by side; all are closed': '恢复后同时关闭多少订单；全部都会关闭',
  'longer than sixteen orders take; another gateway goes on after it': '比十六个订单所需更久；过后由另一个网关继续',
  'longer than an order lives': '比订单的寿命更长',
  'how often a gateway looks whether another one has settled the restored database':
    '网关多久看一次恢复后的处理是否已由另一个网关完成',
  'longer than a comment of an archive; what has no line break that long is no archive':
    '比备份里的注释更长；这么长还没有换行的不是备份',
  'how often a backup says where it is': '备份多久报告一次进度',
  'how many closes of a log one statement notes; all are noted': '一条语句记下日志里多少次关单；全部都会记下',
  'how old an order may be whose attempts are in the figures of the last hour':
    '订单最多多旧，其支付尝试仍计入最近一小时的数字',
  'how long a start waits for the gateway that its home names': '启动时等待该目录所写的网关多久',
  "how often the sandbox's upstreams look for webhooks to send again": '沙箱的上游多久查找一次要重发的通知',
  'when a process whose stop hangs ends itself; no test can make a stop hang for so long':
    '停止时挂住的进程何时自己结束；没有测试能让停止挂住这么久',
  "how long the sandbox's slow shop takes": '沙箱里缓慢的商店用多久',
  "what the sandbox's faults are drawn from; any number does": '沙箱的故障由它抽取；任何数都行',
  "how long the sandbox's upstreams wait for the answer to a webhook": '沙箱的上游等待通知应答多久',
  'up to how many rows a total is counted': '总数最多数到多少行',
  'how many lines of a statement one read brings': '月结单每次读取的行数',
  'how many refunds a page looks through at most': '一页最多查看多少笔退款',
  'how many of each kind the search over everything shows': '全局查找每一类显示几条',
  'how many orders a page looks through at most': '一页最多查看多少个订单',
  'how many paid orders a page by amount looks through at most': '按金额排序的一页最多查看多少笔已支付的订单',
  'how many bulk operations that wait are shown': '待复核的批量操作最多显示几个',
  "orders on the sandbox's page": '沙箱页上的订单数',
  'a longer password is looked at as far as that; the whole would take zxcvbn a tenth of a second':
    '更长的密码只看到这里；看全文要用去 zxcvbn 十分之一秒',
  'how much of the reason for a refusal stands in the log': '拒绝的原因在日志里最多写多长',
  'twice what a hash takes; the bound ends a hash whose stored cost is higher':
    '一次哈希所需的两倍；存储的成本更高的哈希会被此限中止',
  'channels that a process keeps; one that it does not keep is made again at its next call':
    '一个进程保留的渠道数；没有保留的，下次调用时重新建立',
  "how long ended alarms are kept for the console's list": '已恢复的告警在管理台的列表里保留多久',
  'how many old alarms one look removes; the next one goes on': '一次查看删除多少旧告警；其余由下一次删除',
  'how much one message counts; the next one tells the rest': '一条消息最多计入多少；其余由下一条告知',
  'how long a robot may take to answer; then it is tried again': '机器人应答最多用多久；之后重试',
  'how much of an answer is kept for the console': '应答保留多少给管理台看',
  'how long a mail server may say nothing; then it is tried again': '邮件服务器最多多久不应答；之后重试',
  'the longest address of a robot; those of today have 150 characters': '机器人地址的最大长度；现在的有150个字符',
  'the longest secret of a robot; those of today have 70 characters': '机器人密钥的最大长度；现在的有70个字符',
  'to how many addresses one channel sends mail; another channel takes more':
    '一个渠道最多发到多少个邮箱；更多的用另一个渠道',
  'how far apart the processes tell that the database does not answer': '各进程告知数据库不应答的时间错开多少',
}

const DEFAULTS: Record<string, string> = { none: '无', 'given by the start': '由启动决定' }

const row = (line: string): string =>
  line.replace(/ \| ([^|]+) \| (?:– (.+)|.*) \|$/, (cells, otherwise: string, reason?: string) => {
    const said = reason === undefined ? cells : cells.replace(reason, REASONS[reason] ?? reason)
    return said.replace(` | ${otherwise} | `, ` | ${DEFAULTS[otherwise] ?? otherwise} | `)
  })

/** Of `english` the two tables. A reason that is not translated stays English, and a test says so. */
export function chineseSettings(english: string): string {
  const [environment = '', numbers = ''] = [...english.matchAll(/(?:^\|.*\|\n)+/gm)].map(([table]) =>
    table.trimEnd().split('\n').slice(2).map(row).join('\n'),
  )
  const head = (what: string): string => `| ${what} | 默认 | 察觉者 |\n|---|---|---|`
  return `${ABOUT}\n\n## 环境变量\n\n${head('设置')}\n${environment}\n\n${NUMBERS}\n\n${head('数字')}\n${numbers}\n`
}
