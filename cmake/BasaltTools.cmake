# Compiler settings and the tools that make builds fast where they are installed.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
find_program(BASALT_CCACHE ccache)
if(BASALT_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${BASALT_CCACHE})
endif()
find_program(BASALT_MOLD mold)
find_program(BASALT_LLD ld.lld)
if(BASALT_MOLD)
  add_link_options(-fuse-ld=mold)
elseif(BASALT_LLD)
  add_link_options(-fuse-ld=lld)
endif()
add_compile_options(-Wall -Wextra -Wno-missing-field-initializers -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees ghosts in std::string and std::variant moves at -O2 (GCC bugs 105329, 105593).
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-dangling-pointer)
  add_compile_options(-fpch-preprocess)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  # What is shipped knows nothing of the folder that it was built in: two builds of one commit are the same bytes.
  add_compile_options("-ffile-prefix-map=${CMAKE_BINARY_DIR}=build" "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
endif()
set(BASALT_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined")
if(BASALT_SANITIZE)
  add_compile_options(-fsanitize=${BASALT_SANITIZE} -fno-sanitize-recover=all)
  if(BASALT_SANITIZE MATCHES "undefined")
    # AddressSanitizer stops at a null pointer as well, and our processors read at any address; these two checks alone make
    # the build half as long again.
    add_compile_options(-fno-sanitize=null,alignment)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      add_compile_options(-fno-sanitize=function)  # clang 14 cannot write it in front of coroutines
    endif()
  endif()
  add_link_options(-fsanitize=${BASALT_SANITIZE})
endif()
