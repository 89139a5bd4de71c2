/** Thrown by a command that was asked in a wrong way; its message is the command's usage, a way to ask on each line. */
export class UsageError extends Error {}
