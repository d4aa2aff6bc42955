#include <spotter/classifier.h>

#include <iostream>

int main(int, char** argv) {
  spotter::Classifier classifier(argv[1]);
  for (const auto& [name, probability] : classifier.ClassifyFile(argv[2]))
    std::cout << name << " " << probability << "\n";
}
