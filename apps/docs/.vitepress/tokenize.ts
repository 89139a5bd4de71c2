/**
 * The words of a text, for the index and for what is searched. Chinese writes none apart, and dictionaries differ from browser to browser: each two
 * neighbouring characters are a word here. VitePress sends this function to the browser as a text, so it uses nothing from outside.
 */
export function tokenize(text: string): string[] {
  const runs = text.match(/\p{Script=Han}+|[^\p{Script=Han}\p{Z}\p{P}\p{S}\p{C}]+/gu) ?? []
  return runs.flatMap((run) => {
    const characters = [...run]
    if (characters.length < 2 || !/\p{Script=Han}/u.test(run)) return [run]
    return characters.slice(1).map((character, index) => `${characters[index]}${character}`)
  })
}
