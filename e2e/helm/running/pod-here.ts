import { MountedVolume } from '@broker/testing'
import { type Container, type KubernetesObject, only, type Pod, type Volume } from '../kubernetes-object.ts'

type Files = Readonly<Record<string, string>>

/** The Secrets of the namespace, by name. */
export type Secrets = Readonly<Record<string, Files>>

/** The surroundings of a container of a rendered pod, for a process on this machine. */
export interface ContainerHere extends Disposable {
  readonly args: readonly string[]
  /** The variables, with the volumes in temporary folders, and with any free port of 127.0.0.1 in place of a fixed one. */
  readonly env: Readonly<Record<string, string>>
}

/** Mounts the volumes of the broker's pod here, as the kubelet would. A Secret or a key that is missing is an error. */
export function brokerHere(objects: readonly KubernetesObject[], secrets: Secrets): ContainerHere {
  const deployment = objects.find(
    ({ kind, metadata }) => kind === 'Deployment' && !/-store$/.test(metadata.name),
  )
  return containerHere(deployment?.['spec'].template.spec as Pod, objects, secrets)
}

/** The same for the pod of `helm test`. */
export function testHere(objects: readonly KubernetesObject[], secrets: Secrets): ContainerHere {
  return containerHere(only(objects, 'Pod')['spec'] as Pod, objects, secrets)
}

function containerHere(pod: Pod, objects: readonly KubernetesObject[], secrets: Secrets): ContainerHere {
  using stack = new DisposableStack()
  const [container] = pod.containers as readonly [Container]
  const folders: [string, string][] = []
  const here = (text: string) => folders.reduce((done, [path, folder]) => done.replaceAll(path, folder), text)
  // ConfigMaps last: their text names files in the other folders.
  const mounts = (container.volumeMounts ?? []).map(mount => ({
    ...mount,
    volume: volumeOf(pod, mount.name),
  }))
  const inOrder = mounts.toSorted(
    (one, other) => Number(!!one.volume.configMap) - Number(!!other.volume.configMap),
  )
  for (const { mountPath, volume } of inOrder) {
    const files = filesOf(volume, objects, secrets)
    const texts = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, here(text)]))
    const mounted = stack.use(new MountedVolume(texts, { mode: volume.secret?.defaultMode ?? 0o644 }))
    folders.push([mountPath, mounted.folder])
  }
  const env = container.env.map(({ name, value = '' }) => [
    name,
    here(value.replace(/^:\d+$/, '127.0.0.1:0')),
  ])
  const resources = stack.move()
  return {
    args: container.args ?? [],
    env: { LISTEN_ADDR: '127.0.0.1:0', ...Object.fromEntries(env) },
    [Symbol.dispose]: () => resources.dispose(),
  }
}

function volumeOf({ volumes = [] }: Pod, name: string): Volume {
  const volume = volumes.find(candidate => candidate.name === name)
  if (volume === undefined) throw new Error(`the pod has no volume ${name}`)
  return volume
}

function filesOf(
  { name, secret, configMap }: Volume,
  objects: readonly KubernetesObject[],
  secrets: Secrets,
): Files {
  if (configMap !== undefined) return only(objects, 'ConfigMap')['data'] as Files
  const contents = secrets[secret?.secretName ?? '']
  if (contents === undefined)
    throw new Error(`there is no Secret ${secret?.secretName} for the volume ${name}`)
  const items = secret?.items ?? Object.keys(contents).map(key => ({ key, path: key }))
  return Object.fromEntries(
    items.map(({ key, path }) => {
      const text = contents[key]
      if (text === undefined) throw new Error(`the Secret ${secret?.secretName} has no key ${key}`)
      return [path, text]
    }),
  )
}
