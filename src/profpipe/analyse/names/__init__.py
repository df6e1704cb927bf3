"""What a function is called: demangled names, stems that align, categories."""
