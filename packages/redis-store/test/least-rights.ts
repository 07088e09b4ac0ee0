/** The rights in the README: what the store needs of a server, and of a cluster besides. */
export const leastRights =
  'resetchannels -@all ~dex-token-broker:* +eval +evalsha +hget +hset +hdel +pttl +pexpire +time +xadd +xrange +xrevrange +client|setname'
export const leastRightsInCluster = `${leastRights} +cluster|slots`
