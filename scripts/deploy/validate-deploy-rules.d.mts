/** `files`: text by path. `variableNames`: what the server is configured by. */
export function deploymentFaults(
  files: ReadonlyMap<string, string>,
  variableNames: readonly string[],
): string[]
