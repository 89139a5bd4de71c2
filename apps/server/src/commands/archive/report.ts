/** What an operator is told of a backup. */
import type { MoneySum } from '@acopay/store'
import type { Header } from './format.ts'

type Say = (line: string) => void

export function saySums(say: Say, sums: MoneySum[]): void {
  for (const { of, state, count, fen: amount } of sums) {
    say(`  ${of.padEnd(13)} ${state.padEnd(10)} ${String(count).padStart(10)}  ${yuan(amount).padStart(16)} CNY`)
  }
}

/** Sums may be larger than an order's amount. */
const yuan = (amount: string): string => `${amount.padStart(3, '0').slice(0, -2)}.${amount.padStart(3, '0').slice(-2)}`

export function sayNeeds(say: Say, { masterKeys, platformKeysElsewhere }: Header): void {
  say(
    `恢复时需要主密钥，指纹 ${masterKeys.join(' / ')}，请另处保存 (to restore it takes the master key of this fingerprint: keep it elsewhere)`,
  )
  for (const key of platformKeysElsewhere) say(`还需要平台密钥 (and this platform key): ${key}`)
}
