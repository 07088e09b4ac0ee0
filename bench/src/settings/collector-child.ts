// A collector of spans in a separate process, which counts them when it is asked over the IPC channel.
import { startOtlpReceiver } from '@broker/testing'

const collector = await startOtlpReceiver()
process.on('message', (question: 'url' | 'spans') => {
  process.send?.(question === 'url' ? collector.url : collector.spans.length)
})
process.on('disconnect', () => process.exit())
