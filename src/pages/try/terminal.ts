// "The same in a terminal": commands with the address of this server and a valid token, ready to be copied.
import { byId } from './elements.ts'

export function showCommands(server: URL, token: string): void {
  const http = server.href.replace(/\/$/, '')
  const socket = server.href.replace(/^http/, 'ws')
  const values: Readonly<Record<string, string>> = { '{http}': http, '{socket}': socket, '{token}': token }
  for (const block of document.querySelectorAll<HTMLElement>('#terminal [data-command]')) {
    const command = block.dataset.command ?? ''
    block.textContent = command.replace(/\{\w+\}/g, (name) => values[name] ?? name)
  }
  byId('terminal').hidden = false
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const command = byId(button.getAttribute('aria-controls') ?? '')
  try {
    await navigator.clipboard.writeText(command.textContent ?? '')
    byId('copied').textContent = 'Copied.'
  } catch {
    // Without HTTPS or the permission, the page cannot write to the clipboard.
    getSelection()?.selectAllChildren(command)
    byId('copied').textContent = 'Selected. Press Ctrl+C or ⌘C to copy.'
  }
}

for (const button of document.querySelectorAll<HTMLButtonElement>('#terminal button')) {
  button.addEventListener('click', () => void copy(button))
}
