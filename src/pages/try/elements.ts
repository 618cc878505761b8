export function byId<Type extends HTMLElement = HTMLElement>(id: string): Type {
  const found = document.getElementById(id)
  if (!found) throw new Error(`The page has no element ${id}`)
  return found as Type
}

interface ElementOptions {
  readonly className?: string
  readonly text?: string
  readonly children?: readonly Node[]
}

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  { className, text, children = [] }: ElementOptions = {},
): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name)
  if (className) created.className = className
  if (text !== undefined) created.textContent = text
  created.append(...children)
  return created
}
