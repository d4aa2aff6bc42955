# GCC 12 warns about std::string's own code where it is inlined (GCC bug 105329); newer compilers don't.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  set(SPOTTER_QUIET_GCC12 -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
endif()

# Every third party, in one place. scripts/setup installs them; `dpkg` and `pip` names are there.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)  # the compiler's; libtorch brings the same library, and one of them is loaded
find_package(OpenSSL REQUIRED COMPONENTS Crypto SSL)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost REQUIRED CONFIG)  # header-only: Boost.Math's distributions and root finding
find_package(CURL REQUIRED)
find_package(LibArchive REQUIRED)
find_package(PNG REQUIRED)
find_package(pugixml REQUIRED)
find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_writer.hpp REQUIRED)  # libprotobuf would clash with libtorch's own
add_library(protozero INTERFACE)
target_include_directories(protozero SYSTEM INTERFACE ${PROTOZERO_INCLUDE_DIR})
pkg_check_modules(JPEG REQUIRED IMPORTED_TARGET libjpeg)  # libjpeg-turbo, by libjpeg's own interface
pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET libwebp libwebpdemux)
pkg_check_modules(RSVG REQUIRED IMPORTED_TARGET librsvg-2.0>=2.46 cairo)
set_target_properties(PkgConfig::RSVG PROPERTIES INTERFACE_COMPILE_OPTIONS "")  # its -pthread would keep out the PCH
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

# libtorch: by CMAKE_PREFIX_PATH (variable or environment: the unpacked libtorch, pip's torch folder, or the share/cmake
# in one), or else what scripts/setup unpacked. Its own CMake files drag in a CUDA search and compiler flags that we don't
# want, so we name what we use: the headers and the libraries.
set(torch_prefixes ${CMAKE_PREFIX_PATH})
if(NOT torch_prefixes AND DEFINED ENV{CMAKE_PREFIX_PATH})
  string(REPLACE ":" ";" torch_prefixes "$ENV{CMAKE_PREFIX_PATH}")
endif()
unset(TORCH_ROOT CACHE)  # a prefix given now goes before what was found the last time
foreach(prefix ${torch_prefixes})
  find_path(TORCH_ROOT NAMES include/ATen/ATen.h PATHS ${prefix} ${prefix}/libtorch ${prefix}/torch ${prefix}/../..
            NO_DEFAULT_PATH)
endforeach()
if(torch_prefixes AND NOT TORCH_ROOT)
  message(WARNING "no libtorch under CMAKE_PREFIX_PATH (${torch_prefixes}); looking in third_party/")
endif()
find_path(TORCH_ROOT NAMES include/ATen/ATen.h PATHS ${PROJECT_SOURCE_DIR}/third_party/libtorch NO_DEFAULT_PATH)
if(NOT TORCH_ROOT)
  message(FATAL_ERROR "libtorch was not found. Run scripts/setup without CMAKE_PREFIX_PATH, which fetches it, or give "
                      "the folder that holds its include/ and lib/ as -DCMAKE_PREFIX_PATH=/path/to/libtorch.")
endif()
get_filename_component(TORCH_ROOT ${TORCH_ROOT} ABSOLUTE)
file(STRINGS ${TORCH_ROOT}/include/torch/headeronly/version.h torch_version_lines
     REGEX "define TORCH_VERSION_(MAJOR|MINOR) ")
string(REGEX MATCHALL "[0-9]+" torch_version "${torch_version_lines}")
list(JOIN torch_version "." torch_version)
if(torch_version VERSION_LESS 2.11)
  message(FATAL_ERROR "libtorch ${torch_version} at ${TORCH_ROOT} is too old: Spotter needs 2.11 or newer.")
endif()
message(STATUS "libtorch ${torch_version} at ${TORCH_ROOT}")

# libtorch ships headers of another fmt: ours are found before them.
get_target_property(fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/fmt)
file(CREATE_LINK ${fmt_include}/fmt ${PROJECT_BINARY_DIR}/fmt/fmt SYMBOLIC)

add_library(spotter_torch INTERFACE)
target_include_directories(spotter_torch SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/fmt ${TORCH_ROOT}/include ${TORCH_ROOT}/include/torch/csrc/api/include)
target_link_directories(spotter_torch INTERFACE ${TORCH_ROOT}/lib)
if(EXISTS ${TORCH_ROOT}/lib/libtorch_cuda.so)
  # --no-as-needed: nothing of ours names a symbol of the CUDA library; loading it registers the device.
  target_link_libraries(spotter_torch INTERFACE -Wl,--no-as-needed torch_cuda c10_cuda -Wl,--as-needed)
endif()
target_link_libraries(spotter_torch INTERFACE torch_cpu c10)

# jemalloc, by the linker, so that every allocation goes through it: PyTorch's training step for the speed recipe went
# from 297 to 638 images/s by this alone. The sanitizers bring their own allocator.
option(SPOTTER_JEMALLOC "Link jemalloc" ON)
if(SPOTTER_JEMALLOC)
  pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
endif()

if(SPOTTER_TESTS)
  include(CTest)
  include(GoogleTest)
  find_package(GTest REQUIRED)
endif()
