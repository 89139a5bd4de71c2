/** JSON from outside. Some writers put a byte order mark before it (.NET's default UTF-8 writer does): it is taken off. */
export const parseJson = (text: string): unknown => JSON.parse(text.replace(/^\ufeff/, ''))
