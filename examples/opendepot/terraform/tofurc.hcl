credentials_helper "dex" {
  args = ["--config=~/.config/dex-token-broker/broker.yaml"]
}
