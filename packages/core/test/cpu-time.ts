/** Milliseconds of processor time that some work takes: unlike those of a clock, other processes add none to them. */
export function cpuMsOf(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
