# The C sources of blst (BLS12-381) and c-kzg (EIP-4844 and EIP-7594 proofs), from the npm package c-kzg.
#
# Makes meridian_blst, which the native accelerator uses, and meridian_ckzg with the whole of the
# trusted setup in the binary (meridian_kzg_setup_begin/_end, the text of trusted_setup.txt), for the
# host's work with blobs; the latter is built only when something links it.
set(MERIDIAN_CKZG_DIR "${CMAKE_SOURCE_DIR}/node_modules/c-kzg/deps" CACHE PATH
  "The deps folder of the npm package c-kzg")
if(NOT EXISTS "${MERIDIAN_CKZG_DIR}/blst/src/server.c")
  message(FATAL_ERROR
    "The C sources of c-kzg are not in ${MERIDIAN_CKZG_DIR}. Run: npm ci --ignore-scripts")
endif()
enable_language(ASM)

# Its own choice at run time between ADX and plain code (portable), as our baseline has no ADX. A
# foreign library is not ours to instrument: its assembly and type punning are outside UBSan's rules.
set(blst_options -D__BLST_PORTABLE__ -O2 -fno-builtin -fPIC -w)
if(MERIDIAN_SANITIZE OR MERIDIAN_FUZZ)
  list(APPEND blst_options -fno-sanitize=all)
endif()
add_library(meridian_blst STATIC
  ${MERIDIAN_CKZG_DIR}/blst/src/server.c
  ${MERIDIAN_CKZG_DIR}/blst/build/assembly.S)
target_include_directories(meridian_blst SYSTEM PUBLIC ${MERIDIAN_CKZG_DIR}/blst/bindings)
target_compile_options(meridian_blst PRIVATE ${blst_options})

file(WRITE ${CMAKE_BINARY_DIR}/generated/kzg_setup.S.tmp
"    .section .rodata
    .global meridian_kzg_setup_begin
    .global meridian_kzg_setup_end
meridian_kzg_setup_begin:
    .incbin \"${MERIDIAN_CKZG_DIR}/c-kzg/trusted_setup.txt\"
meridian_kzg_setup_end:
    .byte 0
    .section .note.GNU-stack,\"\",%progbits
")
configure_file(${CMAKE_BINARY_DIR}/generated/kzg_setup.S.tmp ${CMAKE_BINARY_DIR}/generated/kzg_setup.S COPYONLY)
add_library(meridian_ckzg STATIC EXCLUDE_FROM_ALL
  ${MERIDIAN_CKZG_DIR}/c-kzg/ckzg.c
  ${CMAKE_BINARY_DIR}/generated/kzg_setup.S)
target_include_directories(meridian_ckzg SYSTEM PUBLIC ${MERIDIAN_CKZG_DIR}/c-kzg)
target_compile_options(meridian_ckzg PRIVATE -O2 -w)
target_link_libraries(meridian_ckzg PUBLIC meridian_blst)
