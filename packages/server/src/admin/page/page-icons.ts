/** The signs that a tab shows, as URLs: a dot, a triangle, a square and a ring, which are not told apart by colour alone. */
export const pageIcons = {
  good: iconOf('%231a7f4b', '%3Ccircle cx="8" cy="8" r="7"/%3E'),
  warning: iconOf('%23b87503', '%3Cpath d="M8 1l7.5 14H.5z"/%3E'),
  critical: iconOf('%23c62828', '%3Cpath d="M1 1h14v14H1z"/%3E'),
  lost: iconOf('none', '%3Ccircle cx="8" cy="8" r="6" stroke="%23808890" stroke-width="3"/%3E'),
} as const

function iconOf(colour: string, shape: string): string {
  return `data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="${colour}"%3E${shape}%3C/svg%3E`
}
