module "network" {
  source  = "registry.example.com/platform/network/aws"
  version = "1.2.0"
}
