internal import Storage

/// What can be wrong with a kernel's modules and their indexes; the `code` of the error.
package enum KernelModulesCode: String, LayerCode, CaseIterable {
    package static var layer: String { "kernel modules" }

    // The tree.
    /// There is no directory for the kernel's release.
    case noTree = "no-module-directory"
    /// A release that no directory can be called.
    case badRelease = "bad-release"
    /// A file has more bytes than are read of its kind.
    case fileTooLong = "file-too-long"
    /// A file ended before the bytes that it said it had.
    case fileCutShort = "file-cut-short"
    /// The directory holds more files, or lies deeper, than any kernel's.
    case treeTooLarge = "module-directory-too-large"
    /// An index names a file that is not there.
    case noFile = "no-module-file"
    /// Modules depend on each other in a circle, or on more than there can be.
    case badDependencies = "bad-dependencies"
    /// Neither modules.builtin nor the kernel's configuration tells what is built in.
    case builtinUnknown = "builtin-unknown"
    // Binary indexes.
    /// Not an index of kmod's.
    case badIndex = "bad-index"
    /// An index of another version.
    case indexVersion = "index-version"
    // Objects.
    /// Not a relocatable ELF object.
    case badObject = "bad-object"
    /// An object without `.modinfo`.
    case noInfo = "no-modinfo"
    /// A module for another kernel.
    case otherKernel = "other-kernel"
    /// A module for another processor.
    case otherMachine = "other-machine"
    // Writing.
    /// A set that lacks a module which one of it depends on.
    case incompleteSet = "incomplete-set"
    /// What no index can hold.
    case unwritableName = "unwritable-name"
}

extension StorageError {
    static func modules(
        _ kind: Kind, _ code: KernelModulesCode, _ message: String, structure: String? = nil,
        field: String? = nil, offset: UInt64? = nil, path: String? = nil, cause: StorageError? = nil
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, field: field, offset: offset, path: path, cause: cause)
    }
}
