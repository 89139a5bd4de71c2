/** The part of Redoc's bundle that this page uses. */
declare module 'redoc/bundles/redoc.standalone.js' {
  const Redoc: {
    init: (url: string, options: object, element: HTMLElement | null, done: (error?: Error) => void) => void
  }
  export default Redoc
}
