# find_package(spotter): the target spotter::spotter.
include(${CMAKE_CURRENT_LIST_DIR}/spotterTargets.cmake)
