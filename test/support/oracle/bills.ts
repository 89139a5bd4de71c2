/** Bills in the form in which the upstreams make them, written by hand; GBK by `iconv-lite`. */
import { crc32, deflateRawSync } from 'node:zlib'
import iconv from 'iconv-lite'

/** The 27 columns of WeChat Pay's trade bill, and the 24 of accounts without coupons of their own. */
export const WECHAT_27 =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注'
export const WECHAT_24 =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,企业红包金额,微信退款单号,商户退款单号,退款金额,企业红包退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率'
const WECHAT_SUMS = '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额'

/** One row; a cell that is not named is what WeChat Pay writes for a payment of 12.50. */
export function wechatRow(columns: string, cells: Record<string, string> = {}): string {
  const usual: Record<string, string> = {
    ...{ 交易时间: '2026-01-30 12:00:00', 公众账号ID: 'wx8888888888888888', 商户号: '1900000001', 特约商户号: '0' },
    ...{ 微信订单号: '4200001234202601300000000001', 商户订单号: 'AT202601301200000000000000000001', 用户标识: 'o-1' },
    ...{
      交易类型: 'NATIVE',
      交易状态: 'SUCCESS',
      付款银行: 'OTHERS',
      货币种类: 'CNY',
      应结订单金额: '12.50',
      总金额: '12.50',
    },
    ...{ 代金券金额: '0.00', 企业红包金额: '0.00', 微信退款单号: '0', 商户退款单号: '0', 退款金额: '0.00' },
    ...{ 充值券退款金额: '0.00', 企业红包退款金额: '0.00', 商品名称: '测试', 手续费: '0.08000', 费率: '0.60%' },
    ...{ 订单金额: '12.50', 申请退款金额: '0.00' },
  }
  return `\`${columns
    .split(',')
    .map((name) => cells[name] ?? usual[name] ?? '')
    .join(',`')}`
}

export const wechatBill = (columns: string, rows: string[]): Buffer =>
  Buffer.from(
    `\ufeff${[columns, ...rows, WECHAT_SUMS, `\`${rows.length},\`12.50,\`0.00,\`0.00,\`0.08000,\`12.50,\`0.00`].join('\r\n')}\r\n`,
  )

/** The 25 columns of Alipay's file with every trade. */
const ALIPAY_25 =
  '支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注'

export function alipayRow(cells: Record<string, string> = {}): string {
  const usual: Record<string, string> = {
    ...{
      支付宝交易号: '2026013022001400001000000001\t',
      商户订单号: 'AT202601301200000000000000000001\t',
      业务类型: '交易',
    },
    ...{
      商品名称: '测试',
      创建时间: '2026-01-30 11:59:00',
      完成时间: '2026-01-30 12:00:00',
      对方账户: '*三(159****5620)\t',
    },
    ...{
      '订单金额（元）': '12.50',
      '商家实收（元）': '12.50',
      '服务费（元）': '-0.08',
      '分润（元）': '0.00',
      备注: '测试',
    },
  }
  return ALIPAY_25.split(',')
    .map((name) => cells[name] ?? usual[name] ?? (name.endsWith('（元）') ? '0.00' : ''))
    .join(',')
}

/** The zip of a day: the trades, and beside them the sums. */
export function alipayBill(rows: string[]): Buffer {
  const line = '----------------------------------------'
  const trades = [
    ...[
      '#支付宝业务明细查询',
      '#账号：[20880000000000010156]',
      '#起始日期：[2026年01月30日 00:00:00]   终止日期：[2026年01月31日 00:00:00]',
    ],
    ...[`#${line}业务明细列表${line}`, ALIPAY_25, ...rows, `#${line}业务明细列表结束${line}`],
    ...[
      '#交易合计：1笔，商家实收共12.50元，商家优惠共0.00元',
      '#退款合计：0笔，商家实收退款共0.00元，商家优惠退款共0.00元',
      '#导出时间：[2026年01月31日 09:00:00]',
      '',
    ],
  ]
  const sums = [
    '#支付宝业务汇总查询',
    '门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）',
    '合计,,1,0,12.50',
    '',
  ]
  return zipOf([
    ['20880000000000010156_20260130_业务明细.csv', iconv.encode(trades.join('\r\n'), 'GBK')],
    ['20880000000000010156_20260130_业务明细(汇总).csv', iconv.encode(sums.join('\r\n'), 'GBK')],
  ])
}

/** A zip by its specification (PKWARE's APPNOTE, 4.3), with names in GBK. */
function zipOf(entries: [name: string, bytes: Buffer][]): Buffer {
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const [title, bytes] of entries) {
    const [name, packed] = [iconv.encode(title, 'GBK'), deflateRawSync(bytes)]
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(8, 4)
    common.writeUInt32LE(crc32(bytes), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(bytes.length, 18)
    common.writeUInt16LE(name.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(at, 10)
    const file = Buffer.concat([Buffer.from('504b0304', 'hex'), common, name, packed])
    files.push(file)
    directory.push(Buffer.from('504b01021400', 'hex'), common, place, name)
    at += file.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...files, ...directory, end])
}
