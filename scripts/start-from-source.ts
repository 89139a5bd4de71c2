/** The gateway, run from its sources: `npm run dev` and the tests of real processes start it so. */
import { operate } from '../apps/server/src/operate.ts'

process.exitCode = await operate(['start'], {
  env: process.env,
  say: (line) => console.log(line),
  complain: (line) => console.error(line),
})
