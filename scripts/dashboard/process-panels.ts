import type { PanelRow } from './panel.ts'
import { ofProcess, own } from './queries.ts'

/** The processes of the replicas. */
export const processPanels: PanelRow = {
  title: 'Processes',
  panels: [
    {
      title: 'Event loop lag, p99',
      description: '1 % of the turns of the event loop are later than this. Every check waits for it.',
      runbook: 'event-loop-lag',
      queries: [{ expr: ofProcess('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }],
      unit: 's',
      bounds: { warning: 0.1, critical: 1 },
    },
    {
      title: 'CPU',
      description: 'In cores. JavaScript uses one; more than about 0.9 is the limit of a replica.',
      runbook: 'event-loop-lag',
      queries: [
        { expr: `rate(${ofProcess('process_cpu_seconds_total')}[$__rate_interval])`, legend: '{{instance}}' },
      ],
    },
    {
      title: 'Memory',
      description: 'Resident memory counts against the limit of the container.',
      runbook: 'cache-full',
      queries: [
        { expr: ofProcess('process_resident_memory_bytes'), legend: '{{instance}}, resident' },
        { expr: ofProcess('nodejs_heap_size_used_bytes'), legend: '{{instance}}, heap' },
      ],
      unit: 'bytes',
    },
    {
      title: 'Restarts in the last hour',
      description: 'Of the same instance: a broker that ended by itself. New pods of a rollout do not count.',
      runbook: 'broker-down',
      queries: [{ expr: `changes(${ofProcess('process_start_time_seconds')}[1h])`, legend: '{{instance}}' }],
    },
    {
      title: 'Dropped log lines per second',
      description: 'The reader of standard output is too slow. Checks are unaffected.',
      runbook: 'log-lines-dropped',
      queries: [
        {
          expr: `rate(${own('log_lines_dropped_total')}[$__rate_interval])`,
          legend: '{{instance}}',
        },
      ],
    },
    {
      title: 'Versions',
      description: 'Of dex-token-broker and Node.js. Two during a rollout are normal.',
      runbook: 'broker-down',
      kind: 'labels',
      queries: [{ expr: `count by (version, node) (${own('build_info')})`, legend: '' }],
    },
  ],
}
