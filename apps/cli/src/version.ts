/** As in package.json, which a test holds against this. */
export const VERSION = '0.2.0'
