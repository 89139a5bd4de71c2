/**
 * Whether a password is one that others would try: by zxcvbn, which knows 40 000 common ones, and what people do to them (numbers
 * behind, letters for digits, rows of the keyboard, dates, repetitions).
 */

/** Longer ones take zxcvbn longer. Whoever wrote so many letters has chosen by then. */
const LOOKED_AT = 64
/** zxcvbn's scores: 0 to 2 are found within a hundred million guesses. */
const SAFE = 3

type Check = (password: string, own: string[]) => { score: number }
let loading: Promise<Check> | null = null

/** `own` counts as a common word: the user's name. */
export async function isGuessable(password: string, own: string): Promise<boolean> {
  loading ??= load()
  const check = await loading
  return check(password.slice(0, LOOKED_AT), [own, 'acopay']).score < SAFE
}

/** Loads zxcvbn when the first password is chosen, because that takes a quarter of a second and some megabytes. */
async function load(): Promise<Check> {
  const [{ ZxcvbnFactory }, { adjacencyGraphs, dictionary }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ])
  const estimator = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs })
  return (password, own) => estimator.check(password, own)
}
