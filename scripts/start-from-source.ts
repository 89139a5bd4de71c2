/** The gateway, run from its sources: `npm run dev` and the tests of real processes start it so. */
import { main } from '../apps/server/src/main.ts'

await main()
