package import Initramfs
package import KernelModules
package import Storage

/// What an overlay is made from: a kernel with its initramfs, and the modules that it lacks.
package struct OverlayRequest {
    /// The kernel's release.
    package var release: String
    /// The initramfs, read with `InitramfsReport.read(_:alsoWhere:)` and `LoadHooks.wants`.
    package var contents: InitramfsContents
    /// What it is.
    package var report: InitramfsReport
    /// What is missing, each before what needs it.
    package var modules: [KernelModule]
    /// Configuration of the initramfs that hides the root, as it has to be.
    package var corrections: [CorrectedCopy]
    /// The kernel's modules.
    package var tree: ModuleTree
    /// The loader takes one file alone: image and overlay become one.
    package var isSingleFile: Bool

    /// A request.
    package init(
        release: String, contents: InitramfsContents, report: InitramfsReport, modules: [KernelModule],
        corrections: [CorrectedCopy] = [], tree: ModuleTree, isSingleFile: Bool = false
    ) {
        self.release = release
        self.contents = contents
        self.report = report
        self.modules = modules
        self.corrections = corrections
        self.tree = tree
        self.isSingleFile = isSingleFile
    }
}

/// Drivers that are added to an initramfs: the guest's own modules, and what makes the initramfs load them. Nothing of the
/// image itself changes.
package struct DriverOverlay: Sendable, Equatable {
    /// The files.
    package var archive: InitramfsOverlay
    /// Where they are put.
    package var placement: OverlayPlacement
    /// The modules that are loaded, in the order in which they are.
    package var loaded: [String]
    /// It does its work unpacked before the image as well as behind it.
    package var fitsBefore: Bool

    /// Makes one. Throws `refused` where the initramfs takes none: code "no-load-hook" when nothing of it would load the
    /// modules, "no-place" when Linux would not unpack them; and what reading the modules throws.
    package static func make(_ request: OverlayRequest) throws(StorageError) -> DriverOverlay {
        let placement = try request.contents.overlayPlacement()
        var overlay = DriverOverlay(
            archive: InitramfsOverlay(), placement: placement, loaded: [],
            fitsBefore: false)
        // Configuration alone is read without being loaded by anything.
        if !request.modules.isEmpty || request.corrections.isEmpty {
            try LoadHooks.hook(for: request.report, request.contents).add(request, to: &overlay)
        }
        for copy in request.corrections {
            try overlay.archive.addFile(Array(copy.path.utf8), copy.bytes)
        }
        // By this directory it is known again.
        try overlay.archive.addDirectory(Array(PrivateModules.root.utf8))
        try request.contents.check(overlay.archive, at: placement)
        overlay.fitsBefore = (try? request.contents.check(overlay.archive, at: .before)) != nil
        return overlay
    }
}
