"""Jobs that requests start: exports, reprojections, uploads."""
