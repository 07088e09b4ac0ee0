// A Dex look-alike for the options in its argument; answers each message with its endpoint and its counts.
import { startDevDex } from '@broker/dev-dex'

const dex = await startDevDex(JSON.parse(process.argv[2] ?? '{}'))
process.on('message', () => process.send?.({ tokenEndpoint: dex.tokenEndpoint, counts: dex.counts }))
