/** Where a payer's browser and the console get the picture of an app from. */

/** The second part is no transaction number, so no order's link looks like it. */
export const LOGO_ROUTE = '/cashier/:mchNo/logo/:appNo/:digest'

/** Null where the app has no picture. Another picture has another path, so browsers may keep each of them. */
export const logoPath = (mchNo: string, app: { appNo: string; logoDigest: string | null }): string | null =>
  app.logoDigest === null ? null : `/cashier/${mchNo}/logo/${app.appNo}/${app.logoDigest}`
