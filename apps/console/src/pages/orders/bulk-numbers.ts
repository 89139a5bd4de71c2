/** The numbers in a text that was pasted from a list, a mail or a spreadsheet: each once, in their order. */
export const numbersIn = (text: string): string[] => [
  ...new Set(text.split(/[\s,;，；、]+/).filter((one) => one !== '')),
]
