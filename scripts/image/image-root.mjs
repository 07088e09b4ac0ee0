import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ManagedProcess } from '../../packages/testing/src/index.ts'

/** The variables of the base image, and of Kubernetes for a user without an entry in /etc/passwd. */
const surroundings = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt',
  HOME: '/',
  HOSTNAME: 'dex-token-broker-7c9f6d5b8-x2x4z',
  KUBERNETES_SERVICE_HOST: '10.96.0.1',
  KUBERNETES_SERVICE_PORT: '443',
  KUBERNETES_PORT: 'tcp://10.96.0.1:443',
}

/** The users that the image must run as: its own, and one that OpenShift made up, in the group of root. */
export const users = { own: '65532:65532', openShift: '1000650000:0' }

/**
 * The root folder of a container: the base image's Node.js with its libraries and nothing else that runs, the image's files, and a volume.
 * Processes in it see no other file, cannot write, and have no capability. Needs root, `unshare`, `chroot` and `ip`.
 */
export class ImageRoot {
  /** The folder behind the volume `/run/volume`. */
  volume
  #folder
  #environment

  /** `environment` is what the Dockerfile sets. */
  constructor(folder, { appFolder, environment }) {
    this.#folder = folder
    this.#environment = { ...surroundings, ...environment }
    this.volume = `${folder}-volume`
    for (const name of ['nodejs/bin', 'proc', 'dev', 'tmp', 'run/volume', 'etc/ssl/certs']) {
      mkdirSync(path.join(folder, name), { recursive: true })
    }
    mkdirSync(this.volume)
    for (const device of ['null', 'urandom']) writeFileSync(path.join(folder, 'dev', device), '')
    for (const file of ['/etc/hosts', '/etc/resolv.conf', surroundings.SSL_CERT_FILE]) {
      if (existsSync(file)) copyFileSync(file, path.join(folder, file))
    }
    copyFileSync(process.execPath, path.join(folder, 'nodejs/bin/node'))
    for (const library of libraries(process.execPath)) {
      mkdirSync(path.join(folder, path.dirname(library)), { recursive: true })
      copyFileSync(library, path.join(folder, library))
    }
    cpSync(appFolder, path.join(folder, 'app'), { recursive: true })
    this.giveTo('0:0')
  }

  /** Why this machine cannot confine processes like that; `undefined` when it can. */
  static obstacle() {
    if (process.platform !== 'linux' || process.getuid() !== 0) return 'needs Linux and root'
    const works = spawnSync('unshare', ['--mount', '--net', 'sh', '-c', 'ip link set lo up'], {
      stdio: 'ignore',
    })
    return works.status === 0 ? undefined : 'needs unshare and ip, with the right to use them'
  }

  /**
   * Starts a program of the image. `isWritable` leaves the files as writable as `giveTo` made them; `network` is `'shared'` with this process, `'own'` with
   * nothing but loopback, or the pid of a process whose network it joins.
   */
  start(command, { user = users.own, env = {}, isWritable = false, network = 'shared' } = {}) {
    const [uid, gid] = user.split(':')
    const script = [
      'set -e',
      network === 'own' ? 'ip link set lo up' : '',
      'mount --bind "$ROOT" "$ROOT"',
      'mount --bind "$VOLUME" "$ROOT/run/volume"',
      'for device in null urandom; do mount --bind "/dev/$device" "$ROOT/dev/$device"; done',
      'mount --bind /proc "$ROOT/proc"',
      isWritable ? '' : 'mount -o remount,bind,ro "$ROOT"',
      'for folder in proc run/volume; do mount -o remount,bind,ro "$ROOT/$folder"; done',
      'unset ROOT VOLUME',
      `exec setpriv --no-new-privs chroot --userspec=${uid}:${gid} --groups= "$0" "$@"`,
    ].join('\n')
    const spaces = ['unshare', '--mount', ...(network === 'own' ? ['--net'] : [])]
    const joined = typeof network === 'number' ? ['nsenter', `--target=${network}`, '--net'] : []
    const [file, ...args] = [...joined, ...spaces, 'sh', '-c', script, this.#folder, ...command]
    const environment = { ...this.#environment, ...env, ROOT: this.#folder, VOLUME: this.volume }
    return new ManagedProcess(command.join(' '), file, args, { env: environment })
  }

  /** Makes every file of the root folder the user's. The volume, and what else is mounted for a process, is not here. */
  giveTo(user) {
    execFileSync('chown', ['-R', user, this.#folder])
  }

  /** Every file and folder with its size and the time of its last change. */
  contents() {
    const options = ['.', '-printf', '%P %y %s %T@\\n']
    return execFileSync('find', options, { cwd: this.#folder, encoding: 'utf8' }).split('\n').sort()
  }
}

/** The shared libraries of a program, with the links that lead to them resolved by name. */
function libraries(program) {
  const text = execFileSync('ldd', [program], { encoding: 'utf8' })
  return [...text.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file)
}
