/** Rows of a name and a value, and a button that copies one of them. */
import { texts } from './texts.ts'

export type Fact = { name: string; value: string; isCopied?: true }

/** `tell` is read aloud to screen readers. */
export function showFacts(root: HTMLElement, facts: Fact[], tell: (text: string) => void): void {
  // Rows that did not change keep the focus of the button inside.
  const key = JSON.stringify([facts, texts().copy])
  if (root.dataset.key === key) return
  root.dataset.key = key
  root.replaceChildren(
    ...facts.flatMap(({ name, value, isCopied }) => {
      const [term, what] = [document.createElement('dt'), document.createElement('dd')]
      term.textContent = name
      const text = document.createElement('span')
      text.textContent = value
      what.append(text)
      if (isCopied) what.append(copyButton(text, name, tell))
      return [term, what]
    }),
  )
}

function copyButton(text: HTMLElement, name: string, tell: (text: string) => void): HTMLElement {
  const says = texts()
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'plain copy'
  button.textContent = says.copy
  button.setAttribute('aria-label', `${says.copy} ${name}`)
  button.addEventListener('click', async () => {
    const isDone = await copied(text)
    tell(isDone ? says.copied : says.copyByHand)
    button.textContent = isDone ? says.copied : says.copy
    button.setAttribute('aria-label', `${button.textContent} ${name}`)
  })
  return button
}

/** Where the browser keeps the clipboard to itself, the text is selected, so that the payer can copy it. */
async function copied(from: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(from.textContent ?? '')
    return true
  } catch {
    getSelection()?.selectAllChildren(from)
    return document.execCommand('copy')
  }
}
