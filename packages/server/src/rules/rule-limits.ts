/** The bounds of rules. With them the cost of an evaluation grows no faster than the expression times the request. */
export const ruleLimits = {
  /** Of an expression's text, in UTF-16 code units. */
  expressionLength: 4_096,
  /** Of operands, operators and calls in an expression. */
  expressionNodes: 500,
  /** Of nested parentheses, calls, indexes and members. */
  expressionDepth: 50,
  /** Of a list or map in an expression, in the claims, of `context`, and of what `split` returns: what a macro can iterate over. */
  listItems: 200,
  /** Of nested lists and maps in the claims. */
  claimsDepth: 32,
  /** Of the instructions of a compiled pattern. */
  patternInstructions: 500,
  /** Of searches in one evaluation: length times instructions for `matches`, the product of both lengths for `contains` and `split`. */
  searchSteps: 500_000,
  /** Of the methods or hosts by which an operand remembers its results. */
  rememberedTexts: 64,
  /** Of such a method or host, in UTF-16 code units; a longer one is evaluated at each check. */
  rememberedTextLength: 256,
} as const
