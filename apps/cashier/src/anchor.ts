/** A link out of what the page is about. */
export function anchor(address: string, text: string, className: string): HTMLAnchorElement {
  const one = document.createElement('a')
  one.href = address
  one.className = className
  one.textContent = text
  one.rel = 'noopener'
  return one
}
