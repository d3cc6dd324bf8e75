# meridian_allocator: jemalloc for programs whose threads free what others allocate, as a pipeline's stages do.
# Not with sanitizers, which bring an allocator of their own.
add_library(meridian_allocator INTERFACE)
if(NOT MERIDIAN_SANITIZE)
  find_library(JEMALLOC_LIBRARY jemalloc REQUIRED)
  # As needed would drop it: nothing names its symbols.
  target_link_options(meridian_allocator INTERFACE LINKER:--no-as-needed)
  target_link_libraries(meridian_allocator INTERFACE ${JEMALLOC_LIBRARY})
endif()
