/** The values of a statement that is put together, each named by its place. */
export function bound() {
  const values: unknown[] = []
  return {
    values,
    /** `$1::text`, then `$2::bigint`, and so on. */
    at: (value: unknown, type: string): string => {
      values.push(value)
      return `$${values.length}::${type}`
    },
  }
}
export type Bound = ReturnType<typeof bound>

/** A condition that holds where nothing is asked. */
export const ifAsked = ({ at }: Bound, value: unknown, type: string, holds: (value: string) => string): string => {
  const place = at(value, type)
  return `(${place} is null or ${holds(place)})`
}
