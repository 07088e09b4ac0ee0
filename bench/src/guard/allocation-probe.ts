// Loaded into a server: says over the IPC channel how many bytes JavaScript has allocated since the process started.
import { getHeapStatistics } from 'node:v8'

process.on('message', () => {
  const statistics: { total_allocated_bytes?: number } = getHeapStatistics()
  process.send?.(statistics.total_allocated_bytes ?? null)
})
