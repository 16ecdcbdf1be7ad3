// A heap is the memory of one worker. Small blocks come in size classes from
// chunks and go back to a list of their class: tree-sitter asks for tens of
// millions of them, and its Go binding would send each request through Go.
//
// Memory is taken from and given back to the heap that the calling thread has
// entered, so a block must be freed in the heap it came from.
#ifndef AGENTLS_HEAP_H
#define AGENTLS_HEAP_H

#include <stddef.h>

enum { heap_classes = 17 }; // of 16 bytes each, header included; larger blocks are malloc's

typedef struct heap {
  void *idle[heap_classes]; // blocks that were freed, linked by their first word
  char *chunk;              // the newest; its first word links the others
  size_t used;              // bytes of it
} heap;

// Makes every heap the core's allocator. To be called before the core runs.
void heap_install(void);

// Makes h the heap of this thread, until heap_leave.
void heap_enter(heap *h);
void heap_leave(void);

// Frees what the core returned for its caller to free.
void heap_free(void *block);

// Gives back all chunks of h. Nothing that came from h may be used after it.
void heap_release(heap *h);

#endif
