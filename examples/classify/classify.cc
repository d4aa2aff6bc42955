#include <spotter/classifier.h>

#include <iostream>
#include <stdexcept>

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("usage: classify MODEL IMAGE");
  spotter::Classifier classifier(argv[1]);
  for (const auto& [name, probability] : classifier.ClassifyFile(argv[2]))
    std::cout << name << " " << probability << "\n";
} catch (const std::runtime_error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
