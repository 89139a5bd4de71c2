/** The commit of the release before this version, 0.1.0: its last migration is 0025. */
export const OLD = 'f96bba598d8885bfd245a0506faff70bb070d3db'
