/** The payer's device, and where the page is shown. */
import { deviceOf } from './methods.ts'

export const device = deviceOf(navigator.userAgent)

/** Whether the host script shows this page in a frame on another site's page. */
export const isFramed = window.parent !== window
