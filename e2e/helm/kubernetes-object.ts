/** An object of Kubernetes as rendered. Its kind decides what else is there. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  // biome-ignore lint/suspicious/noExplicitAny: one type for every kind; strict-types.test.ts checks each by its own
  readonly [field: string]: any
}

/** The only object of a kind; throws when there are none or several. */
export function only(objects: readonly KubernetesObject[], kind: string): KubernetesObject {
  const [found, ...others] = objects.filter(object => object.kind === kind)
  if (found === undefined || others.length > 0) throw new Error(`not one ${kind} but ${objects.length}`)
  return found
}

export interface Pod {
  readonly containers: readonly Container[]
  readonly volumes?: readonly Volume[]
}

export interface Container {
  readonly args?: readonly string[]
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

export interface Volume {
  readonly name: string
  readonly secret?: {
    readonly secretName: string
    readonly items?: readonly { readonly key: string; readonly path: string }[]
    readonly defaultMode: number
  }
  readonly configMap?: { readonly name: string }
}
