/** The command names the test files to Stryker's workers in this environment variable, separated by commas. */
export const TESTS_VARIABLE = 'ACOPAY_MUTANTS_TESTS'
