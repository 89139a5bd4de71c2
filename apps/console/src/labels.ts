/** How the pages call the fields of the API, which its messages call by their names. */
import type { ZH } from './texts.zh.ts'

/** Fields whose labels have other names than the fields. */
const LABELS: Record<string, keyof typeof ZH> = {
  app_no: 'app',
  days: 'signsAfterDays',
  from: 'fromDay',
  mch_no: 'merchant',
  number: 'anyNumber',
  overlap_hours: 'overlap',
  rate_per_second: 'rate',
  search: 'numberOrName',
  text: 'findAll',
  until: 'untilDay',
  user: 'username',
}

/** The name of a field's label: that of `amount_min` is `amountMin`. No text has the name where no page has the field. */
export const labelKeyOf = (field: string): string =>
  LABELS[field] ?? field.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
