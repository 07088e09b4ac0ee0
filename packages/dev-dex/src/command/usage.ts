/** The text of `dev-dex --help`. */
export const usage = `Usage: dev-dex [options]

Runs a look-alike of Dex for trials and tests, and prints how to get a token. Do not use it as an
authorization server: everyone who reaches it can get tokens, and it keeps nothing.

  --client ID:SECRET       a client; repeat it for more. Without one: reports:reports-secret, and
                           orders:orders-secret, which trusts reports
  --trusted-peer ID=PEER   lets the client PEER ask for tokens with the audience ID; repeat it for more
  --user EMAIL:PASSWORD    a user of the password grant; repeat it for more
  --port PORT              the port to listen on; 0 takes a free one. Default: 5556, as in Dex's examples
  --host ADDRESS           the address to listen on. Default: 127.0.0.1
  --allow-remote           allow a --host that other machines can reach
  --issuer-path PATH       the path of the issuer. Default: /dex
  --issuer URL             the whole issuer, when clients reach it by another URL, such as http://dex:5556/dex
  --token-lifetime TIME    the lifetime of tokens, such as 90s or 1h30m. Default: 24h
  --algorithm NAME         RS256 or ES256. Default: RS256
  --tls-cert FILE          serve HTTPS with this certificate (PEM); needs --tls-key
  --tls-key FILE           the private key of the certificate (PEM)
  --help, -h               print this text
  --version, -v            print the version
`
