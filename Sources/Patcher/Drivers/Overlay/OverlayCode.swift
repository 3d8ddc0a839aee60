internal import Storage

/// Why drivers cannot be added to an initramfs; the `code` of the error.
enum OverlayCode: String, LayerCode, CaseIterable {
    static let layer = "drivers"

    /// Nothing in the initramfs would load what is added to it, or nobody knows what.
    case noHook = "no-load-hook"
    /// The script that would load it has no place for that.
    case noPlaceInScript = "no-place-in-script"
    /// The directory of modules of that kernel has none.
    case nothingToAdd = "nothing-to-add"
}

extension StorageError {
    static func overlay(_ code: OverlayCode, _ message: String, path: String? = nil) -> StorageError {
        let error = StorageError(.refused, code, message)
        return path.map { error.inFile($0) } ?? error
    }
}
