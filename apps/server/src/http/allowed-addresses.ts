/** A merchant's list of the addresses from which its servers may call: addresses and CIDR blocks. */
import { BlockList, isIP } from 'node:net'

type Family = 'ipv4' | 'ipv6'
type Entry = { net: string; family: Family; bits: number | null }

const BITS: Record<Family, number> = { ipv4: 32, ipv6: 128 }

/** Null where the text is neither. Short forms that some programs read otherwise, such as `127.1`, are not taken. */
function entryOf(text: string): Entry | null {
  const [, net = '', digits] = /^([0-9a-fA-F:.]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? []
  const version = isIP(net)
  if (version === 0) return null
  const family = version === 6 ? 'ipv6' : 'ipv4'
  const bits = digits === undefined ? null : Number(digits)
  return bits !== null && bits > BITS[family] ? null : { net, family, bits }
}

export const isAddressOrBlock = (text: string): boolean => entryOf(text) !== null

/** Whether the list holds the address; IPv4 mapped into IPv6 counts as IPv4. An entry that cannot be read holds none. */
export function isAllowed(allowed: string[], address: string): boolean {
  const list = new BlockList()
  for (const text of allowed) {
    const entry = entryOf(text)
    if (entry === null) continue
    if (entry.bits === null) list.addAddress(entry.net, entry.family)
    else list.addSubnet(entry.net, entry.bits, entry.family)
  }
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '')
  return list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
}
