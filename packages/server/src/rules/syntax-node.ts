/** A node of the tree that the CEL parser builds. The names of `op` are the library's. */
export interface SyntaxNode {
  readonly op: string
  args: unknown
  readonly input: string
  /** Where an error in this node is shown. */
  readonly pos: number
  readonly start: number
  readonly end: number
}

/** A call, as `name(arguments)` or as `receiver.name(arguments)`. */
export interface CallNode {
  readonly name: string
  readonly receiver: SyntaxNode | undefined
  readonly parameters: readonly SyntaxNode[]
}

/** The parts of a call; `undefined` for another node. */
export function callOf(node: SyntaxNode): CallNode | undefined {
  if (node.op === 'call') {
    const [name, parameters] = node.args as [string, SyntaxNode[]]
    return { name, receiver: undefined, parameters }
  }
  if (node.op === 'rcall') {
    const [name, receiver, parameters] = node.args as [string, SyntaxNode, SyntaxNode[]]
    return { name, receiver, parameters }
  }
  return undefined
}

/** The member and what it is selected from; `undefined` for another node. */
export function memberOf(node: SyntaxNode): { from: SyntaxNode; member: string } | undefined {
  if (node.op !== '.') return undefined
  const [from, member] = node.args as [SyntaxNode, string]
  return { from, member }
}

/** The text of a string literal; `undefined` for another node. */
export function literalText(node: SyntaxNode | undefined): string | undefined {
  return node?.op === 'value' && typeof node.args === 'string' ? node.args : undefined
}

/** The name of a variable; `undefined` for another node. */
export function variableName(node: SyntaxNode): string | undefined {
  return node.op === 'id' ? (node.args as string) : undefined
}

/** The nodes directly below a node. */
export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return []
    case '.':
      return [(node.args as [SyntaxNode, string])[0]]
    case '!_':
    case '-_':
      return [node.args as SyntaxNode]
    case 'call':
    case 'rcall': {
      const { receiver, parameters } = callOf(node) as CallNode
      return receiver === undefined ? parameters : [receiver, ...parameters]
    }
    case 'map':
      return (node.args as [SyntaxNode, SyntaxNode][]).flat()
    default:
      return node.args as readonly SyntaxNode[]
  }
}
