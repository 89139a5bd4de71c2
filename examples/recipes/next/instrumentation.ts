/** When the server starts: a missing setting shows now, and orders whose time is over are closed from now on. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { theShop } = await import('./lib/the-shop')
  theShop()
}
