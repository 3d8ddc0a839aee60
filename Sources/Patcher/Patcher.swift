// The Patcher target.
